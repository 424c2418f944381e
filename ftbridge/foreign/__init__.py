"""What comes from outside, made safe at one edge: values, names of files, and keys that somebody repeats."""
