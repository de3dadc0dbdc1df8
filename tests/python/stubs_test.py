"""The type stubs say what the code has: every public name, method and parameter, in the same order."""
import ast
import importlib.resources
import inspect
import unittest

import mere


def stubs():
    return ast.parse(importlib.resources.files("mere").joinpath("__init__.pyi").read_text())


def parameters(function):
    a = function.args
    return [x.arg for x in (*a.posonlyargs, *a.args)] + (["*" + a.vararg.arg] if a.vararg else []), [x.arg for x in a.kwonlyargs]


def real_parameters(function):
    kinds = inspect.Parameter
    positional, keyword = [], []
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind == kinds.KEYWORD_ONLY:
            keyword.append(name)
        elif parameter.kind == kinds.VAR_POSITIONAL:
            positional.append("*" + name)
        elif parameter.kind != kinds.VAR_KEYWORD:
            positional.append(name)
    return positional, keyword


class Stubs(unittest.TestCase):
    def test_every_public_name_has_a_stub(self):
        named = {node.name for node in stubs().body if isinstance(node, (ast.ClassDef, ast.FunctionDef))}
        self.assertEqual(set(mere.__all__) - named, set())
        self.assertTrue(importlib.resources.files("mere").joinpath("py.typed").is_file())

    def test_functions_have_the_parameters_that_the_stubs_say(self):
        for node in stubs().body:
            if isinstance(node, ast.FunctionDef):
                self.assertEqual(parameters(node), real_parameters(getattr(mere, node.name)), node.name)

    def test_classes_have_the_members_that_the_stubs_say(self):
        for node in stubs().body:
            cls = getattr(mere, node.name, None) if isinstance(node, ast.ClassDef) else None
            if cls is None:
                continue
            stubbed = {member.name for member in node.body if isinstance(member, ast.FunctionDef)}
            for name in stubbed:
                self.assertTrue(hasattr(cls, name), f"{node.name}.{name}")
            public = {name for name in vars(cls) if not name.startswith("_")} - {"code", "reason"}
            self.assertEqual(public - stubbed, set(), node.name)

    def test_public_functions_and_classes_have_docstrings(self):
        for name in mere.__all__:
            self.assertTrue(inspect.getdoc(getattr(mere, name)), name)


if __name__ == "__main__":
    unittest.main()
