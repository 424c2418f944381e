"""From the failures of a tuned model back to the data: what to repair, to repeat and to add before a second round."""
