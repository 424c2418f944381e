"""From examples to files: converted for a target, or prepared for training and validation."""
