"""What several vendors' formats have in common: changes and checks of examples, and images."""
