"""Sample registers: invented people on real communes, in the official layouts, with the truth beside them."""
