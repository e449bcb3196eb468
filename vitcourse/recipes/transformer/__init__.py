"""What lesson 03 trains and has recorded."""
