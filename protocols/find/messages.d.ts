// Made from messages.proto by `npm run generate`; change that file, not this one.
import type { Codec, DecodeOptions } from 'protons-runtime';
import type { Uint8ArrayList } from 'uint8arraylist';
export interface FindRequest {
    key: Uint8Array;
    maxProviders: number;
    maxCloser: number;
    traceparent: string;
}
export declare namespace FindRequest {
    const codec: () => Codec<FindRequest>;
    interface FindRequestKeyFieldEvent {
        field: '$.key';
        value: Uint8Array;
    }
    interface FindRequestMaxProvidersFieldEvent {
        field: '$.maxProviders';
        value: number;
    }
    interface FindRequestMaxCloserFieldEvent {
        field: '$.maxCloser';
        value: number;
    }
    interface FindRequestTraceparentFieldEvent {
        field: '$.traceparent';
        value: string;
    }
    function encode(obj: Partial<FindRequest>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<FindRequest>): FindRequest;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<FindRequest>): Generator<FindRequestKeyFieldEvent | FindRequestMaxProvidersFieldEvent | FindRequestMaxCloserFieldEvent | FindRequestTraceparentFieldEvent>;
}
export interface FindResponse {
    status: number;
    providers: FoundProvider[];
    closer: CloserPeer[];
    retryAfterMs: number;
    code: string;
    message: string;
}
export declare namespace FindResponse {
    const codec: () => Codec<FindResponse>;
    interface FindResponseStatusFieldEvent {
        field: '$.status';
        value: number;
    }
    interface FindResponseProvidersPeerRecordFieldEvent {
        field: '$.providers[].peerRecord';
        value: Uint8Array;
        index: number;
    }
    interface FindResponseProvidersAgeSFieldEvent {
        field: '$.providers[].ageS';
        value: number;
        index: number;
    }
    interface FindResponseCloserPeerIdFieldEvent {
        field: '$.closer[].peerId';
        value: Uint8Array;
        index: number;
    }
    interface FindResponseCloserAddressesFieldEvent {
        field: '$.closer[].addresses[]';
        index: number;
        value: Uint8Array;
    }
    interface FindResponseRetryAfterMsFieldEvent {
        field: '$.retryAfterMs';
        value: number;
    }
    interface FindResponseCodeFieldEvent {
        field: '$.code';
        value: string;
    }
    interface FindResponseMessageFieldEvent {
        field: '$.message';
        value: string;
    }
    function encode(obj: Partial<FindResponse>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<FindResponse>): FindResponse;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<FindResponse>): Generator<FindResponseStatusFieldEvent | FindResponseProvidersPeerRecordFieldEvent | FindResponseProvidersAgeSFieldEvent | FindResponseCloserPeerIdFieldEvent | FindResponseCloserAddressesFieldEvent | FindResponseRetryAfterMsFieldEvent | FindResponseCodeFieldEvent | FindResponseMessageFieldEvent>;
}
export interface FoundProvider {
    peerRecord: Uint8Array;
    ageS: number;
}
export declare namespace FoundProvider {
    const codec: () => Codec<FoundProvider>;
    interface FoundProviderPeerRecordFieldEvent {
        field: '$.peerRecord';
        value: Uint8Array;
    }
    interface FoundProviderAgeSFieldEvent {
        field: '$.ageS';
        value: number;
    }
    function encode(obj: Partial<FoundProvider>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<FoundProvider>): FoundProvider;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<FoundProvider>): Generator<FoundProviderPeerRecordFieldEvent | FoundProviderAgeSFieldEvent>;
}
export interface CloserPeer {
    peerId: Uint8Array;
    addresses: Uint8Array[];
}
export declare namespace CloserPeer {
    const codec: () => Codec<CloserPeer>;
    interface CloserPeerPeerIdFieldEvent {
        field: '$.peerId';
        value: Uint8Array;
    }
    interface CloserPeerAddressesFieldEvent {
        field: '$.addresses[]';
        index: number;
        value: Uint8Array;
    }
    function encode(obj: Partial<CloserPeer>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<CloserPeer>): CloserPeer;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<CloserPeer>): Generator<CloserPeerPeerIdFieldEvent | CloserPeerAddressesFieldEvent>;
}
