"""`POST /api/v1/orders/pay_and_submit`: identify, decode, authenticate, validate, hand over, answer.

Start at `route.py`, which holds the order of the checks. `params.py` is the shape of the request, `catalog.py` what
only the catalog can tell, `command.py` the way from both to the command of the process manager.
"""
