"""Soak test: files, folders, requests and interruptions that go wrong at random, in the thousands.

    make soak                      # about four minutes
    SOAK_MINUTES=30 make soak

Each trial has an oracle. A trial holds if the result is right or if the damage is refused in one message; a traceback,
a wrong result without a message, lost work and a server that stops responding are failures.
"""
