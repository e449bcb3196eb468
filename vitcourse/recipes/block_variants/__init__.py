"""What lesson 07 trains and has recorded."""
