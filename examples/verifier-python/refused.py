"""The exception for doors that do not open."""


class Refused(Exception):
    """No door opens. `proven` is what the credential proved nevertheless, `lock_out` the lock-out if a wrong PIN changed it."""

    def __init__(self, refusal, proven=None, lock_out=None):
        super().__init__(refusal)
        self.refusal = refusal
        self.proven = proven
        self.lock_out = lock_out
