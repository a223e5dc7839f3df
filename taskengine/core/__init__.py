"""Pure verbs: same input, same output; now and randomness are arguments."""
