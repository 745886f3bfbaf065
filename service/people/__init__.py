"""People: what is known of a customer, what she allows, and what she may ask for."""
