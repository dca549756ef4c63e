"""What is true of any terminal: widths, colours, a block that is redrawn, the standard streams."""
