from quick import quick

__all__ = ["quick"]
