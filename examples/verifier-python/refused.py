"""What is raised where no door opens."""


class Refused(Exception):
    """No door opens. `proven` is what the credential proved all the same, `lock_out` the lock-out where a wrong PIN changed it."""

    def __init__(self, refusal, proven=None, lock_out=None):
        super().__init__(refusal)
        self.refusal = refusal
        self.proven = proven
        self.lock_out = lock_out
