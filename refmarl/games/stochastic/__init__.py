"""Markov games from the literature, with exact tables.

Each is a function of its parameters; the rules stand in its docstring, with their source. Games
with few states are :class:`~refmarl.games.markov.MarkovGame`, those with many
:class:`~refmarl.games.sparse.SparseMarkovGame`. Smaller ones, and random ones, are in
:mod:`refmarl.games.markov_examples`.
"""
