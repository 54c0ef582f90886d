"""Property specifications: one module per exercise, in the folders of the course."""
