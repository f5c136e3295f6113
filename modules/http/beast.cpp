// modules/http/beast.cpp: Beast's compiled half, once for the whole program (BOOST_BEAST_SEPARATE_COMPILATION).
#include <boost/beast/src.hpp>
