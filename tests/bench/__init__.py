"""How fast the reference programs are, beside others that do the same. No test: it only measures.

One module a lab, lab2.py, lab3.py, …: its docstring's first line is its title, `add_options` (which
it may leave out) adds options of its own, and `measure` measures and prints. Nothing else needs to
know the lab.
"""
