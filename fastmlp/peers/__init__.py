"""fastmlp beside other libraries, each at its best, on the same work and the same machine.

``fastmlp bench --help`` tells the options; `measure.measure` does the same from Python. Each
library runs in processes of its own, one for each number of threads, which is pinned before the
library is imported; the processes take turns, with a pause between them so that no spinning thread
disturbs the next.

In: names of cases and libraries, numbers of threads. Out: times, losses, a table, a picture.
May not know: the command line; of fastmlp it uses what users import, for it measures older
versions too.
"""
