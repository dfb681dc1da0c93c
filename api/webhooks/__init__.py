"""What the vendors tell us: POST /webhooks/authorizenet and /webhooks/mandrill.

A webhook is a hint to look, never a fact: the order's ending comes from a lookup. So a webhook may come twice, late,
out of order or not at all. Signatures are checked over the raw body, in constant time, before anything is read.
"""
