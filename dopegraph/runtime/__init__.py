"""What every layer stands on: errors, the user's source locations, devices, policies and default dtypes.

Nothing here imports any other part of dopegraph.
"""
