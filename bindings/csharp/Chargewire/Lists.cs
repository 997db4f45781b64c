using Chargewire.Interop;

namespace Chargewire;

/// <summary>Reads lists of which the library says how long they are. They may grow between two looks, hence the loops.</summary>
internal static unsafe class Lists
{
    internal delegate ChargewireStatus ReadStatistics(NativeStats* stats, nuint capacity, nuint* count);

    internal static IReadOnlyList<StationStatistics> Statistics(ReadStatistics read, string what)
    {
        NativeStats[] found = [];
        while (true)
        {
            nuint count;
            ChargewireStatus status;
            fixed (NativeStats* stats = found)
            {
                status = read(stats, (nuint)found.Length, &count);
                if (status != ChargewireStatus.TooBig)
                {
                    ChargewireException.Check(status, what);
                    var list = new StationStatistics[count];
                    for (int i = 0; i < list.Length; ++i)
                    {
                        list[i] = new StationStatistics(stats + i);
                    }

                    return list;
                }
            }

            found = new NativeStats[count + (count / 16) + 1];
            found[0].Size = (nuint)sizeof(NativeStats);
        }
    }

    internal static IReadOnlyList<EndpointStatus> Endpoints(ManagerHandle manager)
    {
        NativeEndpoint[] found = [];
        while (true)
        {
            nuint count;
            fixed (NativeEndpoint* endpoints = found)
            {
                ChargewireStatus status = NativeMethods.ManagerEndpoints(manager, endpoints, (nuint)found.Length, &count);
                if (status != ChargewireStatus.TooBig)
                {
                    ChargewireException.Check(status, "Endpoints");
                    var list = new EndpointStatus[count];
                    for (int i = 0; i < list.Length; ++i)
                    {
                        list[i] = new EndpointStatus(endpoints + i);
                    }

                    return list;
                }
            }

            found = new NativeEndpoint[count + 4];
            found[0].Size = (nuint)sizeof(NativeEndpoint);
        }
    }
}
