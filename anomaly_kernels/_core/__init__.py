"""How numbers are made: the namespace of each array library, checks of arguments, evaluation in blocks, the tape."""
