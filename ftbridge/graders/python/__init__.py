"""Python graders: somebody's source, run in a process of its own behind walls.

This file imports nothing: the process starts with it, and starts anew after each grader that ends it.
"""
