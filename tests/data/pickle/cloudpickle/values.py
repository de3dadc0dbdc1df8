"""What make.py saves. It is run as part of __main__, so that nothing here has an importable name."""
import functools
import os
import sys


def outer(step):
    def inner(x, y=2):
        return x + step * y
    return inner


def even(n):
    return n == 0 or odd(n - 1)


def odd(n):
    return n != 0 and even(n - 1)


def runs(command):
    return os.system(command)


class Base(object):
    limit = 3

    def __init__(self, value):
        self.value = value

    def double(self):
        return Base(self.value * 2)


class Derived(Base):
    def double(self):
        return super(Derived, self).double()


shared = outer(5)
instance = Derived(7)
value = {
    "numbers": [1, 2.5],
    "lambda": lambda x: x + 1,
    "closure": shared,
    "again": shared,
    "even": even,
    "runs": runs,
    "partial": functools.partial(shared, 1),
    "class": Derived,
    "instance": instance,
    "same": instance,
}
if sys.version_info >= (3, 7):  # cloudpickle before 1.0 writes enums that it cannot read
    import enum

    class Color(enum.Enum):
        red = 1

    value["enum"] = Color
    value["member"] = Color.red
