"""The sections of a configuration, one module each: the only place of a default, a bound or a meaning."""
