// The runner of C#: see ../../README.md.
using Runner;

await using var lifecycle = new Lifecycle();
while (Console.ReadLine() is { } line)
{
    Console.WriteLine(await lifecycle.CarryOutAsync(line.Split('\t')));
}
