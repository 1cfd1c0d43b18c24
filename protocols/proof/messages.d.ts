// Made from messages.proto by `npm run generate`; change that file, not this one.
import type { Codec, DecodeOptions } from 'protons-runtime';
import type { Uint8ArrayList } from 'uint8arraylist';
export interface ProofRequest {
    name: string;
    version: string;
    owner: Uint8Array;
    content: Uint8Array;
    nonce: Uint8Array;
    nodes: Place[];
    sample?: Sample;
    tell: boolean;
    traceparent: string;
}
export declare namespace ProofRequest {
    const codec: () => Codec<ProofRequest>;
    interface ProofRequestNameFieldEvent {
        field: '$.name';
        value: string;
    }
    interface ProofRequestVersionFieldEvent {
        field: '$.version';
        value: string;
    }
    interface ProofRequestOwnerFieldEvent {
        field: '$.owner';
        value: Uint8Array;
    }
    interface ProofRequestContentFieldEvent {
        field: '$.content';
        value: Uint8Array;
    }
    interface ProofRequestNonceFieldEvent {
        field: '$.nonce';
        value: Uint8Array;
    }
    interface ProofRequestNodesLevelFieldEvent {
        field: '$.nodes[].level';
        value: number;
        index: number;
    }
    interface ProofRequestNodesIndexFieldEvent {
        field: '$.nodes[].index';
        value: number;
        index: number;
    }
    interface ProofRequestSamplePageFieldEvent {
        field: '$.sample.page';
        value: number;
    }
    interface ProofRequestSampleOffsetFieldEvent {
        field: '$.sample.offset';
        value: number;
    }
    interface ProofRequestTellFieldEvent {
        field: '$.tell';
        value: boolean;
    }
    interface ProofRequestTraceparentFieldEvent {
        field: '$.traceparent';
        value: string;
    }
    function encode(obj: Partial<ProofRequest>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<ProofRequest>): ProofRequest;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<ProofRequest>): Generator<ProofRequestNameFieldEvent | ProofRequestVersionFieldEvent | ProofRequestOwnerFieldEvent | ProofRequestContentFieldEvent | ProofRequestNonceFieldEvent | ProofRequestNodesLevelFieldEvent | ProofRequestNodesIndexFieldEvent | ProofRequestSamplePageFieldEvent | ProofRequestSampleOffsetFieldEvent | ProofRequestTellFieldEvent | ProofRequestTraceparentFieldEvent>;
}
export interface Place {
    level: number;
    index: number;
}
export declare namespace Place {
    const codec: () => Codec<Place>;
    interface PlaceLevelFieldEvent {
        field: '$.level';
        value: number;
    }
    interface PlaceIndexFieldEvent {
        field: '$.index';
        value: number;
    }
    function encode(obj: Partial<Place>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Place>): Place;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Place>): Generator<PlaceLevelFieldEvent | PlaceIndexFieldEvent>;
}
export interface Sample {
    page: number;
    offset: number;
}
export declare namespace Sample {
    const codec: () => Codec<Sample>;
    interface SamplePageFieldEvent {
        field: '$.page';
        value: number;
    }
    interface SampleOffsetFieldEvent {
        field: '$.offset';
        value: number;
    }
    function encode(obj: Partial<Sample>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Sample>): Sample;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Sample>): Generator<SamplePageFieldEvent | SampleOffsetFieldEvent>;
}
export interface Node {
    block: Uint8Array;
    weights: Uint8Array;
}
export declare namespace Node {
    const codec: () => Codec<Node>;
    interface NodeBlockFieldEvent {
        field: '$.block';
        value: Uint8Array;
    }
    interface NodeWeightsFieldEvent {
        field: '$.weights';
        value: Uint8Array;
    }
    function encode(obj: Partial<Node>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Node>): Node;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Node>): Generator<NodeBlockFieldEvent | NodeWeightsFieldEvent>;
}
export interface ProofResponse {
    status: number;
    code: string;
    message: string;
    retryAfterMs: number;
    digests: Uint8Array;
    nodes: Node[];
    blocks: Uint8Array[];
    member: Uint8Array;
    demand: Uint8Array;
}
export declare namespace ProofResponse {
    const codec: () => Codec<ProofResponse>;
    interface ProofResponseStatusFieldEvent {
        field: '$.status';
        value: number;
    }
    interface ProofResponseCodeFieldEvent {
        field: '$.code';
        value: string;
    }
    interface ProofResponseMessageFieldEvent {
        field: '$.message';
        value: string;
    }
    interface ProofResponseRetryAfterMsFieldEvent {
        field: '$.retryAfterMs';
        value: number;
    }
    interface ProofResponseDigestsFieldEvent {
        field: '$.digests';
        value: Uint8Array;
    }
    interface ProofResponseNodesBlockFieldEvent {
        field: '$.nodes[].block';
        value: Uint8Array;
        index: number;
    }
    interface ProofResponseNodesWeightsFieldEvent {
        field: '$.nodes[].weights';
        value: Uint8Array;
        index: number;
    }
    interface ProofResponseBlocksFieldEvent {
        field: '$.blocks[]';
        index: number;
        value: Uint8Array;
    }
    interface ProofResponseMemberFieldEvent {
        field: '$.member';
        value: Uint8Array;
    }
    interface ProofResponseDemandFieldEvent {
        field: '$.demand';
        value: Uint8Array;
    }
    function encode(obj: Partial<ProofResponse>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<ProofResponse>): ProofResponse;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<ProofResponse>): Generator<ProofResponseStatusFieldEvent | ProofResponseCodeFieldEvent | ProofResponseMessageFieldEvent | ProofResponseRetryAfterMsFieldEvent | ProofResponseDigestsFieldEvent | ProofResponseNodesBlockFieldEvent | ProofResponseNodesWeightsFieldEvent | ProofResponseBlocksFieldEvent | ProofResponseMemberFieldEvent | ProofResponseDemandFieldEvent>;
}
