"""What lesson 02 trains and has recorded."""
