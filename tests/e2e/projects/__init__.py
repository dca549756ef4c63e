"""Jobs on repositories of the shapes that people have, with the tools that people use."""
