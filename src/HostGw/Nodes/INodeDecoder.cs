using HostGw.Kubernetes;

namespace HostGw.Nodes;

/// <summary>Reads the API's answer piece by piece, in one of its encodings.</summary>
internal interface INodeDecoder
{
    /// <summary>Decodes what is complete and returns how many bytes that took; the rest must come again, with more.</summary>
    /// <param name="isFinal">Nothing more comes, and a list must be whole.</param>
    /// <exception cref="NodeStreamException">It is broken, or not what was asked for.</exception>
    /// <exception cref="ApiException">The watch reported an error.</exception>
    int Decode(ReadOnlySpan<byte> data, bool isFinal);

    /// <summary>To be called at the end of a list.</summary>
    /// <exception cref="NodeStreamException">The document was another than a list of nodes.</exception>
    NodeListPage Page();
}
