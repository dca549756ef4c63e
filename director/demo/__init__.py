"""The demo: a sample repository and scripted models, so that anybody can watch a whole job."""
