"""The version of the numbers that the solvers and their gradients give, which results carry in place of their code.

Raise it when a change moves numbers or evaluations; tests/ode/test_numbers.py says when. A change that does
not, such as a new method or a faster step with the same bits, leaves every result as it is.
"""

NUMBERS = 2
