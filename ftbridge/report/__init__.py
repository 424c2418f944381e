"""One HTML file that shows what was trained on what, and whether it helped."""
