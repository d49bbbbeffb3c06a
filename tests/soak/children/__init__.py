"""What trials run in processes of their own, which are killed, interrupted or set up otherwise."""
