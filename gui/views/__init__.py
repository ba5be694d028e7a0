"""Live pictures of numbers: widgets that paint arrays, and know neither engine nor document."""
