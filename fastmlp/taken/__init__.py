"""Networks that were trained elsewhere, taken in as networks of this library."""
