"""Networks of integers of 8 bits: how they are made from float ones, and what they compute."""
