"""Grades for other systems, made from the kit's forms: small converters that know no lab."""
