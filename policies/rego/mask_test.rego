package pointgate_test

import data.pointgate

test_nothing_is_masked if count(pointgate.mask) == 0
