"""The demo: a sample repository and scripted models, to watch a whole job."""
