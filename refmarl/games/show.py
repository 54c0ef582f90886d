"""A game as a table: plain text for terminals, HTML for notebooks and the report."""
