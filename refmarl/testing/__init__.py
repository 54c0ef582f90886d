"""For your own property tests: hypothesis strategies of the objects that refmarl works on."""
