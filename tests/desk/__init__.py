"""A student's desk: a lab that is run again at each save, the progress in all labs, a report.

All read the result form of the kit and nothing else, and know no lab.
"""
