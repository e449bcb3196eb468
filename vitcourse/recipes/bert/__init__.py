"""What lesson 04 trains and has recorded."""
