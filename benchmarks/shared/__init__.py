"""What the suite and the programs share: what is measured, and how it is measured and told."""
