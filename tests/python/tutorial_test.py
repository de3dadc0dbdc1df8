"""docs/tutorial-python.md, run as a notebook would be."""
import doctest
import pathlib
import tempfile
import unittest

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "tutorial-python.md"


class Tutorial(unittest.TestCase):
    def test_every_line_gives_what_the_page_shows(self):
        said = []
        runner = doctest.DocTestRunner(
            optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE | doctest.IGNORE_EXCEPTION_DETAIL)
        with tempfile.TemporaryDirectory() as folder:
            page = doctest.DocTestParser().get_doctest(PAGE.read_text(), {"folder": pathlib.Path(folder), "__name__": "tour"},
                                                       PAGE.name, str(PAGE), 0)
            runner.run(page, out=said.append)
        self.assertEqual(runner.failures, 0, "".join(said))
        self.assertGreater(runner.tries, 20)


if __name__ == "__main__":
    unittest.main()
