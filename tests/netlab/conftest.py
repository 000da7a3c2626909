from tests.netlab.fixtures import impaired_path

__all__ = ["impaired_path"]
