"""Gradients without a framework (reverse mode): arrays that record how they were computed, and one rule a function.

A followed array holds a value and a node. A node knows from which nodes it was made, and for each of them a slope: a
function from the gradient of the result to that of the source. The sweep goes back through the nodes by their running
numbers. Slopes hold no more than they need, so that all other values are freed at once.

A tape is the namespace of followed arrays. It lies on a base namespace, in which values are computed and slopes are
written, and which may be a tape itself: that gives higher derivatives. Only real numbers that depend on the arguments
are followed. Comparisons, masks, indices and constants are arrays of the base.
"""
