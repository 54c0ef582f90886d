"""Runs on disk: training that resumes to the same bits, evaluation on its own streams."""
