from tests.netlab.fixtures import impaired_path, routed_path

__all__ = ["impaired_path", "routed_path"]
