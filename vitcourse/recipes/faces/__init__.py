"""What lesson 12 trains and has recorded."""
